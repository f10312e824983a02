import type { CallView } from "../carrier/control-views.ts";
import type { StagedCall, StagedTenant } from "./tenants.ts";
import type { AnsweredLine, WorkerLog } from "./worker-log.ts";

/** Long enough for a webhook's time limits, a ring and a hold on a slow machine. */
const PLACE_MS = 20_000;

/** Answers after which the call comes back to us; any other is the last. Who waits is fetched out of the line. */
const COMING_BACK = ["ask", "announce", "accepted", "unknown"];

/** How one call went, by the carrier's word and by the Worker's log. */
export interface Played {
  call: StagedCall;
  view: CallView;
  /** Every answer that its webhooks got, in order; the webhook sent twice has one twice. */
  answers: AnsweredLine[];
  /** How often RELAY was asked to join it to a conference. */
  joins_asked: number;
  /** The carrier's wait failed: what it saw instead. */
  missed: string | null;
}

/** What a correct client never does, by the carrier's journal. */
export interface PlayedTenant {
  calls: Played[];
  violations: Record<string, unknown>[];
}

/** Places a tenant's calls, act by act, and watches each until it is settled. */
export async function playTenant(log: WorkerLog, staged: StagedTenant): Promise<PlayedTenant> {
  const missed = new Map<string, string>();
  for (const act of staged.acts) {
    await Promise.all(
      act.map((call) =>
        placeOne(staged, call).catch((error: unknown) => missed.set(call.call_id, String(error))),
      ),
    );
  }
  const { carrier, acts } = staged;
  const settled = await Promise.all(
    acts.flat().map(async (call) => {
      // A RELAY call that has joined carries no document to come back with.
      const isSettled = (lines: AnsweredLine[]) =>
        call.via === "relay" || (lines.length > 0 && !COMING_BACK.includes(lines.at(-1)?.outcome ?? ""));
      const answers = await log.answeredUntil(call.call_id, isSettled, PLACE_MS);
      return { call, answers, view: await carrier.call(call.call_id) };
    }),
  );
  const asked = (await carrier.journal({ kind: "frame_in" })).map(({ frame }) => joinAsked(frame));
  return {
    calls: settled.map((one) => ({
      ...one,
      joins_asked: asked.filter((call_id) => call_id === one.call.call_id).length,
      missed: missed.get(one.call.call_id) ?? null,
    })),
    violations: await carrier.journal({ kind: "violation" }),
  };
}

/** Resolves when the call is where it should be and has heard what it should. */
async function placeOne(staged: StagedTenant, call: StagedCall): Promise<void> {
  const { carrier, number } = staged;
  const { call_id, via = "swml", request, expected, keys = [], waits } = call;
  await carrier.placeCallVia(via, number, { ...request, call_id });
  const hears = (contains: string) =>
    carrier.wait({ call: { call_id, heard: { sound: "say", contains } }, timeout_ms: PLACE_MS });
  for (const { hears: words, press } of keys) {
    await hears(words);
    await carrier.digits(call_id, press);
  }
  if (waits) {
    await hears(waits.hears);
    await endWait(staged, call, waits.until);
  }
  const where = expected.conference === null ? { state: "ended" } : { in_conference: expected.conference };
  await carrier.wait({ call: { call_id, heard: expected.hears, ...where }, timeout_ms: PLACE_MS });
}

async function endWait(
  { acts, carrier, ask }: StagedTenant,
  { call_id, expected: { rule } }: StagedCall,
  until: NonNullable<StagedCall["waits"]>["until"],
): Promise<void> {
  // The rules name a lobby's room as they name themselves.
  if (until === "admitted") {
    const response = await ask("POST", `conferences/${rule ?? ""}/lobby/${call_id}/admit`);
    if (!response.ok) throw new Error(`not admitted: ${response.status} ${await response.text()}`);
    return;
  }
  const leaver = acts.flat().find(({ request }) => request.from === until.hangs_up);
  if (leaver) await carrier.hangUp(leaver.call_id);
}

/** The call that a frame asks to be joined; null for any other frame. */
function joinAsked(frame: unknown): string | null {
  const { method, params } = frame as { method?: string; params?: { call_id?: string } }; // A JSON-RPC frame.
  return method === "calling.join_conference" ? (params?.call_id ?? null) : null;
}
