/** What this client sends for itself and answers to; the commands are the caller's own. */
export const SIGNALWIRE = {
  connect: "signalwire.connect",
  event: "signalwire.event",
  ping: "signalwire.ping",
  disconnect: "signalwire.disconnect",
  receive: "signalwire.receive",
  unreceive: "signalwire.unreceive",
} as const;
