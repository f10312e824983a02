import { webhook } from "./acme.ts";
import { ACCEPTED } from "./load.ts";
import type { Recorded } from "./recording-worker.ts";
import type { StandIn } from "./stand-in.ts";
import type { Served } from "./workerd.ts";

/** In this order the frames of a placement go and come: answer, its result, join, its result, the event, its ack. */
const FRAMES = "out in out in in out";

/** What SQL a placement runs on a connection that is open, and where between its frames. */
export async function recordPlacement(
  { url }: Served,
  standIn: StandIn,
): Promise<{ call_id: string; steps: Recorded[] }> {
  const place = async (index: number): Promise<string> => {
    const { path, method, headers, body, call_id } = webhook(index);
    const response = await fetch(url + path, { method, headers, body: new Uint8Array(body) });
    const text = await response.text();
    if (!text.includes(ACCEPTED)) throw new Error(`a webhook was not accepted: ${response.status} ${text}`);
    await standIn.settled();
    return call_id;
  };
  // The first connects and makes the tables.
  await place(0);
  await fetch(url);
  const call_id = await place(1);
  const response = await fetch(url);
  const steps = (await response.json()) as Recorded[];
  const frames = steps.filter((step) => typeof step === "string").join(" ");
  if (frames !== FRAMES) throw new Error(`a placement's frames were ${frames}, and not ${FRAMES}`);
  return { call_id, steps };
}
