import type { CommandView } from "../../../shared/api/controls.ts";
import type { Spoken } from "../../../shared/rules/decision.ts";

/** What an operator wants of a live conference. */
export type ControlWish =
  | {
      control: "change";
      call_id: string;
      muted?: boolean;
      held?: false | { music?: string };
      coach?: string | null;
    }
  | { control: "remove"; call_id: string; say?: Spoken; bar_s?: number }
  | {
      control: "move";
      call_id: string;
      /** Wire names of the room that is meant, the likelier first, and by each what its recording callback's URL carries. */
      to: [string, ...string[]];
      room_proofs: Record<string, string>;
      muted?: boolean;
      over_capacity?: boolean;
    }
  | { control: "announce"; words: Spoken; to?: string }
  | { control: "lock"; mode: "refuse" | "lobby"; until?: number; say?: string }
  | { control: "unlock" }
  | { control: "mute_all"; except: string[] }
  | { control: "unmute_all" }
  | { control: "end"; say?: Spoken; lock_s: number }
  | { control: "start_recording" }
  | {
      control: "record";
      id: string;
      state: "paused" | "recording" | "stopped";
      behavior?: "silence" | "skip";
    };

export interface ControlRequest {
  project_id: string;
  tenant: string;
  /** Wire names of the room that is meant, the likelier first; none where the wish names it. */
  rooms: string[];
  /** Which conference is meant. */
  conference_id?: string;
  /** The same key, the same command; and what was asked under it. */
  idempotency?: { key: string; fingerprint: string };
  wish: ControlWish;
}

/** Why nothing was done. */
export type RefusalCode =
  | "unknown_conference"
  | "unknown_participant"
  | "unknown_recording"
  | "moved"
  | "other_conference"
  | "would_end_room"
  | "full"
  | "locked"
  | "control_unavailable"
  | "target_on_hold"
  | "already_held"
  | "number_withheld"
  | "until_required"
  | "too_many_policies"
  | "already_there"
  | "idempotency_key_reused"
  | "signalwire_refused";

export type ControlReply =
  | { outcome: "command"; command: CommandView }
  /** `where`: the room in which the call is by now. */
  | { outcome: "refused"; code: RefusalCode; message: string; command_id?: string; where?: string };
