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
/** And when filled in. */
export const SPOKEN_LENGTH = 4_000;
/** Characters up to which a filled-in name is looked at, to say what is wrong with it: no name that is good has so many. */
export const NAME_LENGTH = 128;
/** Templates of rooms that are recorded, filled in to see whether a caller's room is one: where more might make its name, it may be. */
export const TEMPLATES_FILLED = 1_000;
/** Characters of a value to match. */
export const TEXT_LENGTH = 512;
/** Characters of a `when`. */
export const WHEN_LENGTH = 1_024;
/** Rooms among which one placement chooses: they travel with the call. */
export const ROOMS = 20;
/** Digits that one question takes. */
export const DIGITS = 32;

/** What a rule may read: characters of a text, and of all values of one header. */
export const READ_TEXT = 4_096;
/** Items of a list, keys of an object. */
export const READ_ITEMS = 1_000;
/** Lists and objects within each other. */
export const READ_DEPTH = 8;
/** Values in a list or object, those of lists and objects within it included, and the characters of all its texts. */
export const READ_VALUES = 5_000;
export const READ_CHARS = 65_536;
/** How often one header may have been sent. */
export const READ_HEADERS = 16;
/**
 * Steps of one decision, each about 10 ns at most. Seen in workerd on a core of an AMD EPYC: of twenty kinds of rulesets that come
 * near so many, the dearest decision takes 41 ms of CPU time, most take 5 to 25 ms; explained in full the dearest takes 55 ms.
 * 20,000 rules with three comparisons each come to 0.7 million steps at most, and take 3 ms.
 */
export const DECISION_STEPS = 3_000_000;
/** And of saying why its expressions fail, past which it is only said that they do. */
export const EXPLAINING_STEPS = 600_000;
