/** The server may not be a Partyline: nothing of what it says may steer the terminal. */
export function plain(text: string): string {
  return text.replace(/\p{Cc}/gu, " ");
}
