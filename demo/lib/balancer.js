'use strict';
// What stands before the instances of a service: connections go round to those in service. Who calls opens one a request, so an
// instance that was taken out is idle as soon as what it had begun is answered; that is how a release replaces another without a failing request.
const net = require('node:net');
const { setTimeout: sleep } = require('node:timers/promises');

const DRAIN_MS = 10_000;

class Balancer {
  constructor() {
    this.backends = []; // { name, port, open }
    this.next = 0;
    this.server = net.createServer({ allowHalfOpen: true }, (client) => this.pass(client));
  }

  listen(port) {
    return new Promise((resolve, reject) => this.server.once('error', reject).listen(port, '127.0.0.1', resolve));
  }

  pass(client) {
    const backend = this.backends[this.next++ % this.backends.length];
    if (!backend) return client.destroy();
    backend.open++;
    const server = net.connect({ port: backend.port, host: '127.0.0.1', allowHalfOpen: true });
    let ends = 2;
    const closed = () => --ends === 0 && backend.open--;
    for (const [from, to] of [[client, server], [server, client]]) {
      from.on('error', () => to.destroy());
      from.on('close', closed);
      from.setNoDelay(true);
      from.pipe(to);
    }
  }

  add(name, port) {
    this.backends.push({ name, port, open: 0 });
  }

  /** Takes an instance out; resolves when nothing is under way in it. */
  async remove(name) {
    const backend = this.backends.find((one) => one.name === name);
    if (!backend) return;
    this.backends = this.backends.filter((one) => one !== backend);
    for (const until = Date.now() + DRAIN_MS; backend.open > 0 && Date.now() < until; ) await sleep(50);
  }
}

module.exports = { Balancer };
