import { ivBytes } from "../../../shared/credentials.ts";
import { sealTicket, TICKET_LENGTH } from "../../../shared/notice-ticket.ts";
import type { Spoken } from "../../../shared/rules/decision.ts";
import { sealKeysOf } from "../../tenants/tenant.ts";
import type { Placement } from "../store/placement-row.ts";
import { hooksOf } from "../store/resume-url-of.ts";
import type { RelayManager } from "./relay-manager.ts";

/**
 * NoticeUrls — our URLs at which SignalWire fetches what it is to play to a call or a conference: what is played is sealed into the URL, so
 * that nothing has to be kept for it. Used by recording notices and by operators' controls.
 */
export class NoticeUrls {
  readonly #relayManager: Pick<RelayManager, "project">;
  readonly #credentials_key: string | undefined;
  readonly #now: () => number;

  constructor(
    relayManager: Pick<RelayManager, "project">,
    credentials_key: string | undefined,
    now: () => number,
  ) {
    this.#relayManager = relayManager;
    this.#credentials_key = credentials_key;
    this.#now = now;
  }

  /**
   * Null if the words make too long a URL, or the URL at which SignalWire reaches us is not known.
   * @param row a call of the tenant that is played to.
   * @param what the conference's sid, or what else the ticket is for.
   */
  async urlFor(row: Placement, what: string, words: Spoken, good_for_ms?: number): Promise<string | null> {
    const hooks = hooksOf(row.join);
    if (hooks === null) return null;
    const keys = await sealKeysOf(this.#credentials_key, await this.#relayManager.project());
    const iv = crypto.getRandomValues(new Uint8Array(ivBytes));
    const whose = { tenant: row.tenant, conference: what };
    const ticket = await sealTicket(keys, whose, words, this.#now(), iv, good_for_ms);
    if (ticket.length > TICKET_LENGTH) return null;
    return `${hooks}/notice?${new URLSearchParams({ conference: what, ticket })}`;
  }
}
