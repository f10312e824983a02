import type { JoinParameters } from "../../conference.ts";
import type { Announcement } from "../schema/words-schema.ts";
import type { ActionOf, ActionOnDemand } from "./actions.ts";
import type { Asking } from "./asking.ts";
import type { Condition } from "./conditions.ts";
import type { Cost, ReadTable } from "./cost.ts";
import type { Speech } from "./interpolation.ts";
import type { RecordedRooms } from "./recorded-rooms.ts";
import type { RuleIndex } from "./rule-index.ts";

export interface CompiledGroup extends CompiledRules {
  /** Null where the group asks nothing. */
  asking: Asking | null;
}

export interface CompiledRule {
  id: string;
  conditions: readonly Condition[];
  does: ActionOnDemand | { group: CompiledGroup; cost: Cost };
}

export interface CompiledRules {
  rules: readonly CompiledRule[];
  index: RuleIndex;
}

/** A ruleset made ready for deciding. Never changed; kept for as long as its version serves. */
export interface CompiledRuleset extends CompiledRules {
  tenant: string;
  hash: string;
  /** The names under which KV has lists that rules name. */
  kv_lists: readonly string[];
  /** What the rules read. */
  reads: ReadTable;
  /** Steps of the dearest decision there can be, or more: no call whose values are small enough to be read takes longer. */
  most_steps: number;
  /** Lengths of the prefixes that rules name. */
  prefixes: readonly number[];
  /** Whether a rule keeps seats for those who drop and come back, so that a call may be one of them. */
  rejoins: boolean;
  /** Whether a rule compares PINs of KV, so that they are worth looking up. */
  pins: boolean;
  /** Null where neither ruleset nor tenant has one: then the call is rejected. */
  fallback: ActionOf | null;
  fallback_cost: Cost;
  /** How words are spoken that no rule holds. */
  speech: Speech;
  /** `defaults.recording_notice`; absent where there is none. */
  notice?: Announcement;
  /** The rooms that some rule records. */
  recorded: Pick<RecordedRooms, "mayBe">;
  /** How somebody in this role joins the room (its plain name), by defaults and role; null: there is no such role. */
  joinAs(role: string, room: string): JoinParameters | null;
}
