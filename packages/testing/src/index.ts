export { type NextOptions, next, type Received } from './next.ts';
export { createTestClient, type TestClient, type TestClientOptions, type TestControls } from './test-client.ts';
