// User agents of JsSIP in Node, for the scripts beside this one. From the environment: JSSIP is the library, SERVER the
// WebSocket address, DOMAIN the SIP domain; accounts have the password `secret`.
'use strict';

const JsSIP = require(process.env.JSSIP);
const { SERVER, DOMAIN } = process.env;

exports.DOMAIN = DOMAIN;

exports.fail = (why) => {
  console.error(why);
  process.exit(1);
};

// A user agent that has registered.
exports.agent = (name) =>
  new Promise((resolve) => {
    const ua = new JsSIP.UA({
      sockets: [new JsSIP.WebSocketInterface(SERVER)],
      uri: `sip:${name}@${DOMAIN}`,
      password: 'secret',
      register_expires: 300,
    });
    ua.on('registered', () => resolve(ua));
    ua.on('registrationFailed', (event) => exports.fail(`${name}: ${event.cause}`));
    ua.start();
  });

// The next event of this name, on anything that has `once`; a call that fails before ends the script.
exports.event = (source, name) =>
  new Promise((resolve) => {
    const failed = (event) => exports.fail(`waited for ${name}: ${event.cause}`);
    if (name !== 'failed' && source.direction) source.once('failed', failed);
    source.once(name, (event) => {
      if (source.removeListener) source.removeListener('failed', failed);
      resolve(event);
    });
  });
