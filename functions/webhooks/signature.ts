import { type SignedJson, signedUrls, verifyJson } from "../../shared/signature.ts";
import { type Diagnosis, diagnoseJson } from "../../shared/signature-diagnosis.ts";

const SIGNATURE_HEADERS = [
  "x-signalwire-signature",
  "x-signalwire-sha256-signature",
  "x-twilio-signature",
] as const;

/** What of a tenant and its project a signature is checked against. */
export interface Signer {
  /** Where SignalWire reaches us. */
  public_url: string;
  /** What follows `#` in the URL pasted at SignalWire. */
  url_fragment?: string;
  /** The current key first. */
  signing_keys: readonly string[];
}

export type Authentication =
  | { authentic: true }
  /**
   * `diagnose` finds the likely cause. It is not done for everyone: it takes about a hundred hashes of the body, which
   * is too much to spend on any sender of rubbish.
   */
  | { authentic: false; diagnose: () => Promise<Diagnosis> };

/** Whether the request brings a signature at all, right or wrong, of a kind that SignalWire sends. */
export function isSigned(headers: Headers): boolean {
  return SIGNATURE_HEADERS.some((name) => headers.has(name));
}

/**
 * Whether SignalWire signed this JSON webhook for this tenant's project.
 *
 * @param raw The body's bytes as received.
 */
export async function authenticate(
  raw: Uint8Array,
  request: Request,
  signer: Signer,
): Promise<Authentication> {
  const sha1 = request.headers.get("x-signalwire-signature");
  const sha256 = request.headers.get("x-signalwire-sha256-signature");
  const signed: Omit<SignedJson, "urls"> = {
    raw,
    keys: signer.signing_keys,
    ...(sha1 === null ? {} : { sha1 }),
    ...(sha256 === null ? {} : { sha256 }),
  };
  const urls = signedUrls(signer.public_url, request.url, signer.url_fragment);
  if ((await verifyJson({ ...signed, urls })).ok) return { authentic: true };
  return {
    authentic: false,
    diagnose: () =>
      diagnoseJson({
        ...signed,
        public_url: signer.public_url,
        received_url: request.url,
        ...(signer.url_fragment === undefined ? {} : { fragment: signer.url_fragment }),
      }),
  };
}
