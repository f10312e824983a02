import type { Refusal, Wait, WaitsFor } from "../decision.ts";
import type { PlaceText } from "../schema/action-schema.ts";
import type { OverflowText } from "../schema/wait-schema.ts";
import { POSITION } from "../template.ts";
import { readSpoken, type Speech } from "./interpolation.ts";
import { type Reader, readHandOver, readOtherwise, readReject } from "./refusal.ts";

const FULL = { say: "We are sorry. All seats are taken. Please call again later." };
const NOT_IN = { say: "We are sorry. You could not be let in. Please call again later." };
const IN_LINE = `You are number ${POSITION} in line.`;
/** Half an hour. */
const MAX_S = 1_800;

/** What is done where no room has a seat, or had none all the while that the caller waited. */
export function readWhenFull({ overflow, wait }: PlaceText, speech: Speech): Reader<Refusal> {
  if (overflow?.then === "wait" && wait?.otherwise !== undefined)
    return readOtherwise(wait.otherwise, speech);
  return readOverflow(overflow, FULL, speech);
}

/** How the caller waits; null where the rule lets nobody wait. */
export function readWait({ overflow, wait, capacity }: PlaceText, speech: Speech): Reader<Wait> | null {
  const forSeat = overflow?.then === "wait" && capacity !== undefined;
  const order: WaitsFor[] = [
    ...(wait?.for === undefined ? [] : [wait.for]),
    ...(forSeat ? ["seat" as const] : []),
  ];
  const [first, ...others] = order;
  if (first === undefined) return null;
  const { max_s = MAX_S, music, position = false, announce } = wait ?? {};
  const heard = announce === undefined ? null : readSpoken(announce, speech);
  const told = position === false ? null : readSpoken(position === true ? IN_LINE : position, speech);
  const otherwise =
    wait?.otherwise === undefined
      ? readOverflow(forSeat ? overflow : undefined, first === "seat" ? FULL : NOT_IN, speech)
      : readOtherwise(wait.otherwise, speech);
  return (call, field, findings, answers) => {
    const instead = otherwise(call, `${field}.otherwise`, findings, answers);
    if (instead === null) return null;
    const how: Wait = {
      for: [first, ...others],
      max_s,
      ...(music === undefined ? {} : { music }),
      otherwise: instead,
    };
    if (told !== null) {
      const words = told(call, `${field}.position`, findings, answers);
      if (words === null) return null;
      how.position_words = words;
    }
    if (heard !== null) {
      const line = heard(call, `${field}.announce`, findings, answers);
      if (line === null) return null;
      how.announce = line;
    }
    return how;
  };
}

/** What an overflow says of those who find no seat, or else this line, spoken as it says. */
function readOverflow(
  overflow: OverflowText | undefined,
  line: { say: string },
  speech: Speech,
): Reader<Refusal> {
  const { swml, cxml, say, play, language, voice, reason } = overflow ?? {};
  if (swml !== undefined || cxml !== undefined) {
    return readHandOver({ ...(swml === undefined ? {} : { swml }), ...(cxml === undefined ? {} : { cxml }) });
  }
  const how = {
    ...(language === undefined ? {} : { language }),
    ...(voice === undefined ? {} : { voice }),
    ...(reason === undefined ? {} : { reason }),
  };
  if (say !== undefined) return readReject({ say, ...how }, speech);
  if (play !== undefined) return readReject({ play, ...how }, speech);
  if (reason === "busy" || reason === "decline") return readReject({ reason }, speech);
  return readReject({ ...line, ...how }, speech);
}
