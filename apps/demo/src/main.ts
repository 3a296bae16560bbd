import { createServer } from 'node:http';

const host = '127.0.0.1';
const port = Number(process.env['PORT'] ?? 3000);

const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end('Runnel\n');
});
server.listen(port, host, () => {
  console.log(`Runnel demo: http://${host}:${port}`);
});
