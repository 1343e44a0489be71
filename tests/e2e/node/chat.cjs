'use strict';
// Two visitors of a chat, by npm's `ws`: node chat.cjs <address of ws> <URL> ; what they hear and how it ends, as JSON.

const [, , library, url] = process.argv;
const WebSocket = require(library);

class Visitor {
  constructor(query, options) {
    this.heard = [];
    this.waiting = [];
    this.socket = new WebSocket(url + query, options || {});
    this.opened = new Promise((resolve, reject) => {
      this.socket.on('open', resolve);
      this.socket.on('unexpected-response', (_, answer) => reject(new Error(String(answer.statusCode))));
      this.socket.on('error', reject);
    });
    this.closed = new Promise((resolve) => this.socket.on('close', (code, reason) => resolve([code, String(reason)])));
    this.socket.on('message', (data, isBinary) => {
      const told = isBinary ? 'binary' : String(data);
      const next = this.waiting.shift();
      if (next) next(told);
      else this.heard.push(told);
    });
  }

  hears() {
    return this.heard.length ? Promise.resolve(this.heard.shift()) : new Promise((resolve) => this.waiting.push(resolve));
  }

  say(document) { this.socket.send(JSON.stringify(document)); }
}

async function main() {
  const told = {};
  told.stranger = await new Visitor('').opened.catch((error) => error.message);
  told.wrong = await new Visitor('?name=nobody').opened.catch((error) => error.message);
  const ann = new Visitor('?name=ann');
  await ann.opened;
  const bob = new Visitor('?name=bob', { headers: { 'X-Kind': 'visitor' } });
  await bob.opened;
  ann.say({ action: 'say', text: 'hello ü' });
  told.both = [await ann.hears(), await bob.hears()];
  ann.say({ action: 'who' });
  told.who = JSON.parse(await ann.hears());
  ann.say({ action: 'nothing of ours' });
  told.other = JSON.parse(await ann.hears()).message;
  ann.socket.ping();
  await new Promise((resolve) => ann.socket.once('pong', resolve));
  // A message in parts is one.
  ann.socket.send('{"action": "say", ', { fin: false });
  ann.socket.send('"text": "in parts"}', { fin: true });
  told.parts = [await ann.hears(), await bob.hears()];
  bob.socket.close(1000, 'bye');
  told.bob = await bob.closed;
  ann.say({ action: 'left' });
  told.left = await ann.hears();
  ann.say({ action: 'out' });
  told.ann = await ann.closed;
  const loud = new Visitor('?name=ann');
  await loud.opened;
  loud.socket.send('x'.repeat(40 * 1024));
  told.loud = (await loud.closed)[0];
  // The connections of those who were refused are kept, and would be waited for.
  process.stdout.write(JSON.stringify(told), () => process.exit(0));
}

main().catch((error) => { console.error(error); process.exit(1); });
