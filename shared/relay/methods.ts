/** What this client sends for itself and answers to; the commands are the caller's own. */
export const SIGNALWIRE = {
  connect: "signalwire.connect",
  event: "signalwire.event",
  ping: "signalwire.ping",
  disconnect: "signalwire.disconnect",
  receive: "signalwire.receive",
  unreceive: "signalwire.unreceive",
} as const;

/** Commands, sent flat: each is the frame's `method`. All but `dial` carry `node_id` and `call_id`. */
export const CALLING = {
  answer: "calling.answer",
  pass: "calling.pass",
  end: "calling.end",
  play: "calling.play",
  play_stop: "calling.play.stop",
  play_and_collect: "calling.play_and_collect",
  play_and_collect_stop: "calling.play_and_collect.stop",
  join_conference: "calling.join_conference",
  leave_conference: "calling.leave_conference",
  transfer: "calling.transfer",
  send_digits: "calling.send_digits",
  dial: "calling.dial",
} as const;
