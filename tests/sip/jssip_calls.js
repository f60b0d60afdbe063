// Two user agents of JsSIP call each other with WebRTC below them: web0 calls web1, each hears the other one's tone, the call
// is held, taken up again, gets digits and is ended by web1; then web1 is busy, and then web0 gives up. Each step is a line;
// ends with 0 when all went as it should. WRTC in the environment is the WebRTC library.
'use strict';

const { RTCPeerConnection, RTCSessionDescription, MediaStream, nonstandard } = require(process.env.WRTC);
const { agent, event, fail, DOMAIN } = require('./jssip_agent.js');

// JsSIP looks for these where a browser has them.
Object.assign(globalThis, { window: globalThis, RTCPeerConnection, RTCSessionDescription, MediaStream });
setTimeout(() => fail('not done in time'), 60000);

// A stream with a tone of 16 bit samples, 10 ms at a time.
const tone = () => {
  const source = new nonstandard.RTCAudioSource();
  const samples = Int16Array.from({ length: 480 }, (_, i) => 8000 * Math.sin((2 * Math.PI * i) / 48));
  setInterval(() => source.onData({ samples, sampleRate: 48000 }), 10);
  return new MediaStream([source.createTrack()]);
};

// Resolves when somebody speaks on the connection's audio.
const heard = (connection) =>
  new Promise((resolve) => {
    const sink = new nonstandard.RTCAudioSink(connection.getReceivers()[0].track);
    sink.ondata = ({ samples }) => {
      if (samples.some((sample) => Math.abs(sample) > 1000)) {
        sink.stop();
        resolve();
      }
    };
  });

const incoming = (ua) =>
  new Promise((resolve) => {
    const listen = ({ originator, session }) => {
      if (originator !== 'remote') return;
      ua.removeListener('newRTCSession', listen);
      resolve(session);
    };
    ua.on('newRTCSession', listen);
  });

(async () => {
  const [web0, web1] = await Promise.all([agent('web0'), agent('web1')]);
  const media = { mediaStream: tone(), pcConfig: { iceServers: [] } };

  const ringing = incoming(web1);
  const caller = web0.call(`sip:web1@${DOMAIN}`, media);
  const callee = await ringing;
  const confirmed = [event(caller, 'confirmed'), event(callee, 'confirmed')];
  callee.answer({ mediaStream: tone(), pcConfig: { iceServers: [] } });
  await Promise.all(confirmed);
  await Promise.all([heard(caller.connection), heard(callee.connection)]);
  console.log('both hear each other');

  const held = event(callee, 'hold');
  await new Promise((resolve) => caller.hold({}, resolve));
  if ((await held).originator !== 'remote' || !callee.isOnHold().remote) fail('not held');
  const resumed = event(callee, 'unhold');
  await new Promise((resolve) => caller.unhold({}, resolve));
  await resumed;
  console.log('held and taken up again');

  const digits = event(callee, 'newDTMF');
  caller.sendDTMF('7');
  console.log(`web1 got digit ${(await digits).dtmf.tone}`);

  const ended = event(caller, 'ended');
  callee.terminate();
  console.log(`ended: ${(await ended).cause}`);

  const busy = incoming(web1);
  const refused = web0.call(`sip:web1@${DOMAIN}`, media);
  const told = event(refused, 'failed');
  (await busy).terminate({ status_code: 486 });
  console.log(`refused: ${(await told).cause}`);

  const unanswered = incoming(web1);
  const given = web0.call(`sip:web1@${DOMAIN}`, media);
  const rings = event(given, 'progress');
  const phone = await unanswered;
  const stopped = event(phone, 'failed');
  await rings;
  given.terminate();
  console.log(`given up: ${(await stopped).cause}`);
  process.exit(0);
})();
