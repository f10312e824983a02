import { FIELDS } from "./cxml-webhook.ts";
import { verifyForm } from "./form-signature.ts";
import { signedUrls, withFragment } from "./signature.ts";
import { type Diagnosis, escapedOtherwise, otherUrls } from "./signature-diagnosis.ts";
import { spellingsOf, unlikelySpellingsOf } from "./url-spellings.ts";

export interface UnverifiedForm {
  body: string;
  signature: string;
  keys: readonly string[];
  /** Whether the signature, were it right, would cover the body: a JSON body's digest stands in the URL. */
  covers: boolean;
  public_url: string;
  received_url: string;
  fragment?: string;
}

/** Bodies over so many characters are not looked into: a diagnosis hashes the body about a hundred times. */
const bodyLimit = 65_536;

/** Finds what about a form whose signature failed would have to be otherwise for it to be right. */
export async function diagnoseForm(request: UnverifiedForm): Promise<Diagnosis> {
  const { signature, keys, covers, fragment } = request;
  if (!keys.some((key) => key !== "")) {
    return { code: "no_key", sentence: "No signing key is configured for this tenant's project." };
  }
  if (signature === "") {
    return { code: "unsigned", sentence: "The request carries no SignalWire signature header." };
  }
  if (!covers) {
    return {
      code: "body",
      sentence: "The body is JSON, and the URL does not carry its digest as bodySHA256.",
    };
  }
  if (request.body.length > bodyLimit || new URLSearchParams(request.body).size > FIELDS) {
    return {
      code: "too_large",
      sentence: `The signature is wrong; the cause is looked for only in bodies up to ${bodyLimit} characters and ${FIELDS} fields.`,
    };
  }
  const [url = ""] = signedUrls(request.public_url, request.received_url);
  const escaped = withFragment(unlikelySpellingsOf(url), fragment);
  if (await verifyForm({ ...request, urls: escaped })) return escapedOtherwise;
  for (const { url, code, sentence } of otherUrls(request)) {
    const urls = withFragment(spellingsOf(url), fragment);
    if (await verifyForm({ ...request, urls })) return { code, sentence };
  }
  return {
    code: "another_key",
    sentence: `No URL like ${url.split("?")[0]} fits: it was signed with another key, or it does not come from SignalWire.`,
  };
}
