import type { Place, Policies, Refusal, Spoken, Wait } from "../shared/rules/decision.ts";

/** A placement in lines for people: where, heard what, after what wait, and what else is done. */
export function placeLines({
  rooms,
  announce,
  recording_notice,
  wait,
  capacity,
  when_full,
  rejoin_s,
  policies,
  speaking,
}: Place): string[] {
  const lines = [`rooms, in order: ${rooms.join(", ")}`];
  for (const words of announce ?? []) lines.push(`hears before the room: ${heard(words)}`);
  if (wait !== undefined) lines.push(...waitLines(wait));
  if (capacity !== undefined) {
    const full = when_full === undefined || wait?.for.includes("seat") ? "" : `; full, ${lastly(when_full)}`;
    lines.push(`seats of each room: ${capacity}${full}`);
  }
  if (rejoin_s !== undefined) lines.push(`who drops finds the seat again for ${rejoin_s} s`);
  if (recording_notice !== undefined)
    lines.push(`hears, if the room is known to be recorded: ${heard(recording_notice)}`);
  if (policies !== undefined) lines.push(...policyLines(policies));
  if (speaking) lines.push("operators are told who speaks");
  return lines;
}

function policyLines({ lock, mute_all, when_moderator_leaves: leaves }: Policies): string[] {
  const lines: string[] = [];
  if (lock !== undefined)
    lines.push(
      `from then on the room is locked: ${lock === "lobby" ? "operators let callers in" : "nobody else comes in"}`,
    );
  if (mute_all !== undefined)
    lines.push(
      `from then on all are muted${mute_all.except.length > 0 ? ` but ${mute_all.except.join(", ")}` : ""}`,
    );
  if (leaves !== undefined) {
    const said = leaves.say === undefined ? "" : `, with ${JSON.stringify(leaves.say)}`;
    lines.push(`when no moderator is there for ${leaves.after_s} s: ${leaves.then}${said}`);
  }
  return lines;
}

const waits = {
  admission: "an operator to let them in",
  moderator: "a moderator",
  seat: "a seat",
} as const satisfies Record<Wait["for"][number], string>;

function waitLines({ for: what, max_s, music, position_words, announce, otherwise }: Wait): string[] {
  const how = [
    `with ${music ?? "ringing"}`,
    ...(position_words === undefined ? [] : [`told their place in the line: ${heard(position_words)}`]),
    ...(announce === undefined ? [] : [`after ${heard(announce)}`]),
  ];
  return [
    `waits for ${what.map((one) => waits[one]).join(", then ")}: ${max_s} s at most, ${how.join(", ")}; then ${lastly(otherwise)}`,
  ];
}

function lastly(word: Refusal): string {
  switch (word.action) {
    case "hand_over":
      return `handed over to ${[word.swml, word.cxml].filter((url) => url !== undefined).join(" or ")}`;
    case "reject": {
      const how = word.reason === undefined ? "rejected" : `rejected (${word.reason})`;
      return word.say === undefined ? how : `${how} with ${heard(word.say)}`;
    }
  }
}

function heard(words: Spoken): string {
  return "play" in words ? words.play : JSON.stringify(words.say);
}
