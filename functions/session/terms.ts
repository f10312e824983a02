import type { LastWord, Wait } from "../../shared/rules/decision.ts";
import { rejectByDefault } from "../../shared/rules/last-word.ts";
import type { PlaceRequest, TurnedAway } from "./contract.ts";

/** What a waiter wants, as far as its row does not say it already: kept, so that it can be let in when nobody asks for it. */
export interface Terms
  extends Pick<
      PlaceRequest,
      "rooms" | "strategy" | "coach" | "join" | "when_full" | "max_duration_s" | "fetch_url"
    >,
    Pick<Wait, "for" | "max_s" | "otherwise" | "music"> {
  /** How often its documents have asked how it stands, and how long one piece of its music is, ms. */
  asked?: number;
  music_ms?: number;
}

export function termsOf(request: PlaceRequest, { for: waitsFor, max_s, otherwise, music }: Wait): Terms {
  const { rooms, strategy, coach, join, when_full, max_duration_s, fetch_url } = request;
  return {
    rooms,
    strategy,
    join,
    ...(coach === undefined ? {} : { coach }),
    ...(when_full === undefined ? {} : { when_full }),
    ...(max_duration_s === undefined ? {} : { max_duration_s }),
    ...(fetch_url === undefined ? {} : { fetch_url }),
    for: waitsFor,
    max_s,
    otherwise,
    ...(music === undefined ? {} : { music }),
  };
}

/** What is done for a waiter who is not let in. */
export function lastWordOf({ when_full, coach, otherwise }: Terms, why: TurnedAway): LastWord {
  switch (why) {
    case "full":
      return when_full ?? otherwise;
    case "absent":
      return typeof coach?.if_absent === "object" ? coach.if_absent : rejectByDefault();
    case "several":
      return typeof coach?.if_several === "object" ? coach.if_several : rejectByDefault();
    case "waited":
    case "declined":
      return otherwise;
    default:
      return why satisfies never;
  }
}
