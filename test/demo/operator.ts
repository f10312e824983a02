import { type CommandView, commandView } from "../../shared/api/controls.ts";
import { LATE, MOVED, NUMBER, SPEAKER } from "./floor.ts";
import type { StagedTenant } from "./tenants.ts";

/** Long enough for an end that is verified leg by leg on a slow machine. */
const WAIT_MS = 20_000;

const LOCKED = "This room is locked. Goodbye.";

/** One thing that an operator does, and whether the simulator, too, says that it came to be so. */
interface Act {
  shows: string;
  /** As `npx partyline` has it, for a person to copy. */
  command: string;
  method: "PATCH" | "POST" | "PUT";
  /** Under the tenant's conferences. */
  path: string;
  body: object;
  /** Rejects where it is not so at SignalWire. */
  seen(floor: StagedTenant): Promise<unknown>;
}

/** How one of them went. */
export interface Done {
  shows: string;
  command: string;
  /** null: it was refused, or the Worker did not answer. */
  view: CommandView | null;
  /** What is not as it should be. */
  complaint: string | null;
}

/** Mutes, moves, locks and ends, one after the other; each is to be verified before the next. */
export async function operate(staged: StagedTenant): Promise<Done[]> {
  const done: Done[] = [];
  for (const act of actsOf(staged)) done.push(await carryOut(staged, act));
  return done;
}

function actsOf({ acts, tenant }: StagedTenant): Act[] {
  const idOf = (from: string) => acts.flat().find(({ request }) => request.from === from)?.call_id ?? "";
  const [speaker, moved] = [idOf(SPEAKER), idOf(MOVED)];
  return [
    {
      shows: "mute a caller",
      command: `mute support ${speaker}`,
      method: "PATCH",
      path: `support/participants/${speaker}`,
      body: { muted: true },
      seen: async ({ carrier }) => {
        const people = (await carrier.conferences()).flatMap(({ participants }) => participants);
        if (!people.find(({ call_id }) => call_id === speaker)?.muted) throw new Error("is not muted");
      },
    },
    {
      shows: "move the other to another room",
      command: `move support ${moved} sales`,
      method: "POST",
      path: `support/participants/${moved}/move`,
      body: { to: "sales" },
      seen: ({ carrier }) =>
        carrier.wait({ call: { call_id: moved, in_conference: `${tenant}:sales` }, timeout_ms: WAIT_MS }),
    },
    {
      shows: "lock the room: a late caller is refused",
      command: `lock support --say "${LOCKED}"`,
      method: "PUT",
      path: "support/lock",
      body: { say: LOCKED },
      seen: async ({ carrier, number }) => {
        const { call_id } = await carrier.placeCallVia("swml", number, { from: LATE, to: NUMBER });
        const heard = { sound: "say", contains: LOCKED } as const;
        await carrier.wait({ call: { call_id, heard, state: "ended" }, timeout_ms: WAIT_MS });
      },
    },
    {
      shows: "end the conference for all",
      command: "end support",
      method: "POST",
      path: "support/end",
      body: {},
      seen: ({ carrier }) =>
        carrier.wait({ call: { call_id: speaker, state: "ended" }, timeout_ms: WAIT_MS }),
    },
  ];
}

async function carryOut(staged: StagedTenant, act: Act): Promise<Done> {
  const { shows, command, method, path, body } = act;
  const response = await staged.ask(method, `conferences/${path}`, body);
  const said: unknown = await response.json();
  const view = commandView.safeParse(said).data ?? null;
  if (view?.state !== "done" || response.status !== 200) {
    const complaint = `${shows}: answered ${response.status} ${JSON.stringify(said)}`;
    return { shows, command, view, complaint };
  }
  // The Worker said so; the simulator must, too.
  const complaint = await act.seen(staged).then(
    () => null,
    (error: unknown) => `${shows}: said to be done, and ${String(error)}`,
  );
  return { shows, command, view, complaint };
}

/** What the operator did, how it went out, and by what it was seen. */
export function deedsTable(done: readonly Done[]): string {
  const head = ["an operator of floor", "state", "sent by", "seen by"];
  const rows = done.map(({ shows, view }) => [
    shows,
    view?.state ?? "refused",
    view?.sent_by ?? "–",
    view?.verified_by ?? "–",
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const print = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  const commands = done.map(({ command }) => `  npx partyline ${command}`);
  return [
    print(head),
    print(widths.map((width) => "─".repeat(width))),
    ...rows.map(print),
    "",
    "From the command line that is:",
    "",
    ...commands,
  ].join("\n");
}
