import { fromUtf8 } from "../../shared/encoding.ts";
import { diagnoseForm } from "../../shared/form-diagnosis.ts";
import { isDigestOf, verifyForm } from "../../shared/form-signature.ts";
import { signedUrls } from "../../shared/signature.ts";
import { mediaType } from "./read-body.ts";
import type { Authentication, Signer } from "./signature.ts";

/**
 * Whether SignalWire signed this form, or this query, for this tenant's project. A body that is JSON is not signed itself: its
 * digest stands in the URL, which is.
 *
 * @param raw The body's bytes: a form's unpacked, any other as received.
 */
export async function authenticateForm(
  raw: Uint8Array,
  request: Request,
  { public_url, url_fragment, signing_keys }: Signer,
): Promise<Authentication> {
  const signature =
    request.headers.get("x-signalwire-signature") ?? request.headers.get("x-twilio-signature") ?? "";
  const kind = bodyKind(request);
  const signed = {
    body: kind === "form" ? fromUtf8(raw) : "",
    signature,
    keys: signing_keys,
  };
  const urls = signedUrls(public_url, request.url, url_fragment);
  const covers = kind !== "json" || (await isDigestOf(raw, digestIn(request)));
  if (covers && (await verifyForm({ ...signed, urls }))) return { authentic: true };
  return {
    authentic: false,
    diagnose: () =>
      diagnoseForm({
        ...signed,
        covers,
        public_url,
        received_url: request.url,
        ...(url_fragment === undefined ? {} : { fragment: url_fragment }),
      }),
  };
}

/** The body's fields; null for a request whose fields stand in its URL. */
export function formOf(raw: Uint8Array, request: Request): Iterable<[string, string]> | null {
  switch (bodyKind(request)) {
    case "none":
      return null;
    case "form":
      return new URLSearchParams(fromUtf8(raw));
    case "json":
      return jsonFields(raw);
  }
}

function bodyKind(request: Request): "none" | "form" | "json" {
  if (request.method === "GET") return "none";
  return mediaType(request) === "application/json" ? "json" : "form";
}

function digestIn(request: Request): string {
  return new URL(request.url).searchParams.get("bodySHA256") ?? "";
}

/** What nests is no field. */
function jsonFields(raw: Uint8Array): [string, string][] {
  let json: unknown;
  try {
    json = JSON.parse(fromUtf8(raw));
  } catch {
    return [];
  }
  if (typeof json !== "object" || json === null) return [];
  return Object.entries(json).flatMap(([name, value]): [string, string][] =>
    typeof value === "object" ? [] : [[name, String(value)]],
  );
}
