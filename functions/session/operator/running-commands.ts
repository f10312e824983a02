import type { CommandView, PersonResult, SentBy, VerifiedBy } from "../../../shared/api/controls.ts";
import { describeError, log } from "../../log.ts";
import type { ControlOutcome } from "../../rest-controls.ts";
import type { ControlReply, ControlRequest } from "../contract/controls.ts";
import type { ControlCommand, ControlLog } from "../store/control-log.ts";
import type { History } from "../store/history.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Watch } from "./sightings.ts";

/** So long an answer waits for the effect to be seen. */
export const SEEN_MS = 3_000;
/** What was not seen by then has failed. */
export const FAILED_MS = 60_000;

/** What came of a command. */
export interface Settlement {
  state: "done" | "failed" | "refused";
  changed: boolean;
  verified_by: VerifiedBy | null;
  sent_by?: SentBy;
  said?: string;
  results?: PersonResult[];
  remaining?: string[];
}

/** What a control is about. */
export interface Subject {
  /** As the history calls it. */
  name: string;
  room: string;
  conference_id: string | null;
  /** Whose call it is about, where it is about one. */
  row: Placement | null;
  /** By which the effect can be looked for later; no words in it. */
  wanted?: Record<string, unknown>;
}

/** RunningCommands — operators' commands from when they are sent to when their effect is seen, each written down first. Used by the controls. */
export class RunningCommands {
  readonly #controls: ControlLog;
  readonly #history: History;
  readonly #settled: (command: CommandView, tenant: string) => void;
  readonly #now: () => number;

  /** @param settled told of each command that is done, has failed or was refused. */
  constructor(
    controls: ControlLog,
    history: History,
    settled: (command: CommandView, tenant: string) => void,
    now: () => number,
  ) {
    this.#controls = controls;
    this.#history = history;
    this.#settled = settled;
    this.#now = now;
  }

  /** Written before anything is sent. Throws if there is no room for it. */
  begin({ tenant, idempotency }: ControlRequest, subject: Subject): ControlCommand {
    const { name, room, conference_id, row, wanted } = subject;
    const command: ControlCommand = {
      command_id: crypto.randomUUID(),
      control: name,
      state: "requested",
      changed: false,
      sent_by: null,
      verified_by: null,
      room,
      conference_id,
      call_id: row?.call_id ?? null,
      at: this.#now(),
      settled_at: null,
      said: "",
      tenant,
      wanted: wanted === undefined ? null : JSON.stringify(wanted),
      request_key: idempotency?.key ?? null,
      fingerprint: idempotency?.fingerprint ?? null,
    };
    this.#controls.add(command);
    return command;
  }

  /** The answer about a command as it is now. */
  reply(command: ControlCommand, row?: Placement | null): ControlReply {
    return { outcome: "command", command: viewOf(command, row ?? null) };
  }

  /** What was found to be so already, or was done by the session itself. */
  done(command: ControlCommand, row: Placement | null, settlement: Omit<Settlement, "state">): ControlReply {
    this.settle(command, row, { ...settlement, state: "done" });
    return this.reply(command, row);
  }

  refused(command: ControlCommand, row: Placement | null, by: SentBy, code: string): ControlReply {
    const said = `SignalWire refused it: ${code}`;
    this.settle(command, row, { state: "refused", changed: false, verified_by: null, sent_by: by, said });
    return { outcome: "refused", code: "signalwire_refused", message: said, command_id: command.command_id };
  }

  /** Waits for the effect of what was sent: 200 where it is seen in time, else the command goes on and the answer says so. */
  async verified(
    command: ControlCommand,
    row: Placement | null,
    watch: Watch,
    sent: { by: SentBy; outcome: ControlOutcome["kind"]; code?: string },
    seen: () => Partial<Settlement> = () => ({}),
  ): Promise<ControlReply> {
    command.sent_by = sent.by;
    const isRefused = sent.outcome === "refused" || sent.outcome === "later";
    // A refusal may come after the deed, or because it was done by then.
    const by = await watch.seen(isRefused ? 0 : this.#now() + SEEN_MS);
    if (by !== null) {
      watch.stop();
      return this.done(command, row, { changed: !isRefused, verified_by: by, ...seen() });
    }
    if (isRefused) {
      watch.stop();
      return this.refused(command, row, sent.by, sent.code ?? "429");
    }
    command.said = sent.outcome === "unanswered" ? "SignalWire did not answer" : "SignalWire took it";
    this.#controls.update(command);
    void this.#later(command, row, watch, seen);
    return this.reply(command, row);
  }

  /** What nothing tells of: it stays requested. */
  requested(command: ControlCommand, row: Placement | null, by: SentBy, said: string): ControlReply {
    command.sent_by = by;
    command.said = said;
    this.#controls.update(command);
    this.#tell(command, row);
    return this.reply(command, row);
  }

  async #later(
    command: ControlCommand,
    row: Placement | null,
    watch: Watch,
    seen: () => Partial<Settlement>,
  ): Promise<void> {
    try {
      const by = await watch.seen(command.at + FAILED_MS, "later");
      if (by !== null)
        this.settle(command, row, { state: "done", changed: true, verified_by: by, ...seen() });
      else {
        const said = `${command.said}, and it was not seen within a minute`;
        this.settle(command, row, { state: "failed", changed: false, verified_by: null, said });
      }
    } catch (error) {
      log("error", "control.broke", { command: command.command_id, error: describeError(error) });
    } finally {
      watch.stop();
    }
  }

  /** Once: who asks how it stands may have seen it first. */
  settle(command: ControlCommand, row: Placement | null, settlement: Settlement): void {
    const known = this.#controls.find(command.tenant, command.command_id);
    if (known && known.settled_at !== null) {
      Object.assign(command, known);
      return;
    }
    Object.assign(command, settlement, { settled_at: this.#now() });
    this.#controls.update(command);
    this.#tell(command, row);
    this.#settled(viewOf(command, row), command.tenant);
  }

  #tell(
    { control, sent_by, state, verified_by, changed, said }: ControlCommand,
    row: Placement | null,
  ): void {
    if (row === null) return;
    const how = verified_by === null ? said : `${changed ? "seen" : "so already"} by ${verified_by}`;
    const by = sent_by === "relay" || sent_by === "rest" ? sent_by : "nobody";
    this.#history.action(row, { deed: control, by, said: `an operator's command: ${state}, ${how}` });
  }
}

/** As the API shows it. */
export function viewOf(command: ControlCommand, row: Placement | null): CommandView {
  const { tenant: _, wanted: __, request_key: ___, fingerprint: ____, ...view } = command;
  if (row === null) return view;
  const { call_id, conference_id, room, muted, held, coaching } = row;
  return {
    ...view,
    participant: { call_id, conference_id, room, muted: muted === 1, held: held === 1, coaching },
  };
}
