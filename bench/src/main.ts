console.error('No benchmark is defined yet.');
process.exitCode = 1;
