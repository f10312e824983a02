/** A ruleset's text has at most so many characters; read as an object, its keys and texts together. */
export const RULESET_LENGTH = 4 * 1024 * 1024;
/** Rules in one list; all rules of a ruleset, those in groups too, are held to the same. */
export const RULES = 20_000;
/** Values in one list, or written out in one match. */
export const VALUES = 20_000;
/** A group in a group in a group, and no deeper. */
export const GROUP_DEPTH = 4;
/** Characters of a room's template. */
export const TEMPLATE_LENGTH = 256;
/** Characters of words to speak, as written. */
export const SAY_LENGTH = 2_000;
/** Characters of a value to match. */
export const TEXT_LENGTH = 512;
/** Characters of a `when`. */
export const WHEN_LENGTH = 1_024;
/** Rooms among which one placement chooses: they travel with the call. */
export const ROOMS = 20;
/** Digits that one question takes. */
export const DIGITS = 32;
