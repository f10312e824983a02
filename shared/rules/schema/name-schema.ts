import * as z from "zod";

/** A name: of a list, a schedule, a role. */
export const name = (what: string) =>
  word(
    what,
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
    "1 to 64 letters, digits, - and _, the first a letter or digit",
  );

export const word = (what: string, pattern: RegExp, form: string) =>
  z.string().regex(pattern, `${what} is ${form}`);
