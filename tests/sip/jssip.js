// Two user agents of JsSIP in one process: both register, web0 sends web1 a message. Ends with 0 when web1 got it and web0
// was told so.
'use strict';

const { agent, fail, DOMAIN } = require('./jssip_agent.js');

setTimeout(() => fail('not done in time'), 30000);

(async () => {
  const [web0, web1] = await Promise.all([agent('web0'), agent('web1')]);
  const came = new Promise((resolve) => {
    web1.on('newMessage', ({ originator, request }) => {
      if (originator === 'remote') resolve(request.body);
    });
  });
  const answered = new Promise((resolve) => {
    web0.sendMessage(`sip:web1@${DOMAIN}`, 'hello from web0', {
      eventHandlers: { succeeded: resolve, failed: (event) => fail(`not sent: ${event.cause}`) },
    });
  });
  console.log(`web1 got: ${await came}`);
  await answered;
  process.exit(0);
})();
