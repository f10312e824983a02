declare namespace Cloudflare {
  interface GlobalProps {
    mainModule: typeof import("./index.ts");
  }

  /** The Worker's bindings, variables and secrets; docs/operations.md says what each is. */
  interface Env {
    DIRECTORY: KVNamespace;
    RELAY_SESSION: DurableObjectNamespace<import("./session/relay-session.ts").RelaySession>;
    /** Takes copies of recordings; absent where none are wanted. */
    RECORDINGS?: R2Bucket;
    /** Counts refused requests by address; absent where there is no limiter. */
    REFUSALS?: RateLimit;
    /** Where SignalWire reaches us, e.g. `https://partyline.example.com`; a tenant's record may name its own. */
    PUBLIC_URL?: string;
    /** Guards the API. Not set: the API is closed. */
    ADMIN_TOKEN?: string;
    /** 32 bytes, base64: seals credentials in KV, and our state in calls. */
    CREDENTIALS_KEY?: string;
    /** The one-tenant start: the names that SignalWire's SDKs use. */
    SIGNALWIRE_SPACE?: string;
    SIGNALWIRE_PROJECT_ID?: string;
    SIGNALWIRE_API_TOKEN?: string;
    SIGNALWIRE_SIGNING_KEY?: string;
  }
}

type Env = Cloudflare.Env;
