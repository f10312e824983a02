import type { Call } from "../../../shared/call.ts";
import { numbers } from "./arbitrary-values.ts";
import { readText, readValue } from "./naive-bounds.ts";

interface When {
  text: string;
  reads: readonly ("to" | "from" | "type" | "n")[];
  holds(call: Call): boolean;
}

const isLarge = ({ params: { n } }: Call) => typeof n === "number" && n > 3;

/** Expressions as people write them, and what each means, said without CEL. */
function expressionsOf(one: string, other: string): When[] {
  return [
    { text: "params.n > 3", reads: ["n"], holds: isLarge },
    { text: `call.to == '${one}'`, reads: ["to"], holds: ({ to }) => to === one },
    { text: `'${one}' == call.from`, reads: ["from"], holds: ({ from }) => from === one },
    {
      text: `call.to in ['${one}', '${other}']`,
      reads: ["to"],
      holds: ({ to }) => to === one || to === other,
    },
    {
      text: `call.type == 'phone' && call.to == '${one}'`,
      reads: ["type", "to"],
      holds: ({ type, to }) => type === "phone" && to === one,
    },
    {
      text: `call["to"] == '${one}' && params.n > 3`,
      reads: ["to", "n"],
      holds: (call) => call.to === one && isLarge(call),
    },
    {
      text: `params.n > 3 && (call.from == '${one}' || call.from == '${other}')`,
      reads: ["from", "n"],
      holds: (call) => isLarge(call) && (call.from === one || call.from === other),
    },
    {
      text: `call.to == '${one}' || call.from == '${other}'`,
      reads: ["to", "from"],
      holds: ({ to, from }) => to === one || from === other,
    },
    { text: `call.to != '${one}'`, reads: ["to"], holds: ({ to }) => to !== one },
    { text: `!(call.to == '${one}')`, reads: ["to"], holds: ({ to }) => to !== one },
    {
      text: `!(call.to == '${one}' && call.from == '${other}')`,
      reads: ["to", "from"],
      holds: ({ to, from }) => to !== one || from !== other,
    },
    {
      text: `call.to == '${one}' && call.from in ['${other}', '${one}']`,
      reads: ["to", "from"],
      holds: ({ to, from }) => to === one && (from === one || from === other),
    },
    {
      text: `call.to in ['${one}'] && call.to != '${other}'`,
      reads: ["to"],
      holds: ({ to }) => to === one && to !== other,
    },
    {
      text: `params.n > 3 || call.to == '${one}'`,
      reads: ["to", "n"],
      holds: (call) => isLarge(call) || call.to === one,
    },
    {
      text: `call.from.startsWith('+1555') && call.to == '${one}'`,
      reads: ["to", "from"],
      holds: ({ to, from }) => from.startsWith("+1555") && to === one,
    },
  ];
}

const texts = [...numbers, "sip:alice@example.com", "Anonymous", ""];

/** By their text. */
const known = new Map(
  texts
    .flatMap((one) => texts.flatMap((other) => expressionsOf(one, other)))
    .map((when) => [when.text, when]),
);

export const whens: readonly string[] = [...known.keys()];

/** Reads all that the expression reads. */
export function readWhen(text: string, call: Call): void {
  for (const read of known.get(text)?.reads ?? []) {
    if (read === "n") readValue(call.params["n"]);
    else readText(call[read]);
  }
}

export function holdsWhen(text: string, call: Call): boolean {
  const when = known.get(text);
  if (when === undefined) throw new Error(`what ${text} means is not known`);
  return when.holds(call);
}
