/** Values few enough that rules and calls often meet. */
export const numbers = Array.from(
  { length: 12 },
  (_, index) => `+155501000${String(index).padStart(2, "0")}`,
);
/** Names that an object has without anyone having sent them, among others. */
export const names = ["x-room", "x-tier", "constructor", "toString", "hasOwnProperty"];
export const texts = ["gold", "silver", "4", "$", "{x}", "true", "support", `\${x}`, "%{x}", "é", ""];

/** What is keyed. */
export const digits = ["1", "12", "123", "2"];
/** And what is keyed in secret. */
export const hmacs = ["a", "b"].map((digit) => ({ hmac: digit.repeat(64) }));
