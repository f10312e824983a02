/** What the bench uses of autocannon 9, which brings no types. */
declare module "autocannon" {
  export interface PreparedRequest {
    method: string;
    path: string;
    headers: Record<string, string>;
    body: Buffer;
  }

  interface Client {
    setRequests(requests: readonly PreparedRequest[]): void;
  }

  interface Options {
    url: string;
    connections: number;
    /** Requests in all, spread evenly over the connections. */
    amount: number;
    /** How often it looks whether it is done, ms. */
    sampleInt: number;
    /** Seconds. */
    timeout: number;
    setupClient(client: Client): void;
    /** False is a mismatch. */
    verifyBody(body: string): boolean;
  }

  interface Result {
    "2xx": number;
    non2xx: number;
    errors: number;
    timeouts: number;
    mismatches: number;
  }

  interface Instance extends PromiseLike<Result> {
    /** `ms` has a fraction. */
    on(
      event: "response",
      listener: (client: Client, status: number, bytes: number, ms: number) => void,
    ): Instance;
  }

  export default function autocannon(options: Options): Instance;
}
