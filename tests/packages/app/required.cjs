// An ESM package in a CommonJS program: Node can `require` it from 20.19 and 22.12 on.
const { createClient, RunnelError } = require('@runnel/client');
const { createServer } = require('@runnel/server');
const { channel } = require('@runnel/protocol');

console.log([createClient, RunnelError, createServer, channel].map((it) => typeof it).join());
