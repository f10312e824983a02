import { hostname, userInfo } from "node:os";

/** Who writes, for the history of versions: `user@host`, of characters that a header can carry. */
export function whoWrites(): string {
  return `${userName()}@${hostname()}`.replace(/[^\x21-\x7e]/g, "?").slice(0, 100);
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that no user has.
    return "unknown";
  }
}
