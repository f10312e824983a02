import { ivBytes } from "../../shared/credentials.ts";
import { type Opening, openState, type SealedFor, type SealedState, sealState } from "../../shared/seal.ts";
import type { SealKeys } from "../../shared/seal-keys.ts";
import { sealKeysOf, type Tenant } from "../tenants/tenant.ts";

/**
 * Seals — seals and opens the state that one call carries for us. A state of another call or tenant does not open. Used by call flows.
 */
export class Seals {
  readonly #keys: SealKeys;
  readonly #whose: SealedFor;

  private constructor(keys: SealKeys, whose: SealedFor) {
    this.#keys = keys;
    this.#whose = whose;
  }

  static async of(env: Env, { tenant, project }: Tenant, call_id: string): Promise<Seals> {
    return new Seals(await sealKeysOf(env.CREDENTIALS_KEY, project), { tenant, call_id });
  }

  /** Null if the state is too long to be carried. */
  async seal(state: SealedState): Promise<string | null> {
    const sealing = await sealState(
      this.#keys,
      this.#whose,
      state,
      crypto.getRandomValues(new Uint8Array(ivBytes)),
    );
    return sealing.ok ? sealing.sealed : null;
  }

  async open(sealed: unknown): Promise<Opening> {
    return await openState(this.#keys, this.#whose, sealed);
  }
}
