/** What a token may be allowed to do. docs/api.md says what each opens. */
export const scopes = [
  "rooms:read",
  "rooms:control",
  "rooms:remove",
  "lobby",
  "dial",
  "calls:read",
  "recordings:read",
  "recordings:control",
  "rules:read",
  "rules:write",
  "webhooks",
  "audit:read",
  "tokens",
] as const;

export type Scope = (typeof scopes)[number];
