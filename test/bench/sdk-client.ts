import { SignalWire } from "@signalwire/realtime-api";
import { joining } from "./drive.ts";
import { CONTEXT } from "./wire.ts";

/** What the published client has below its methods: it has none that joins a conference. */
interface Commanded {
  _client: { execute(command: { method: string; params: object }): Promise<unknown> };
}

/** SignalWire's published client with the least that takes a call on a context into a conference. Its own process. */
const [host = "", project = ""] = process.argv.slice(2);
const client = await SignalWire({ host, project, token: "PT-bench", logLevel: "silent" });
let index = 0;
await client.voice.listen({
  topics: [CONTEXT],
  async onCallReceived(call) {
    await call.answer();
    const { name, join } = joining(index++, "bare");
    const { _client } = call as unknown as Commanded; // Not in its types; its own methods use it.
    const params = { node_id: call.nodeId, call_id: call.callId, name, ...join };
    await _client.execute({ method: "calling.join_conference", params });
  },
});
process.send?.("ready");
process.on("disconnect", () => process.exit());
