/* What the browser has and TypeScript's libraries lack: the worklet's scope, and htmx as a global. */

declare abstract class AudioWorkletProcessor {
  readonly port: MessagePort;
  abstract process(inputs: Float32Array[][], outputs: Float32Array[][], parameters: object): boolean;
}
declare function registerProcessor(name: string, processor: new (options: any) => AudioWorkletProcessor): void;
declare const currentTime: number;
declare const sampleRate: number;

interface HtmxConnection {
  cancelled: boolean;
  reader?: { cancel(): void } | null;
  delayCanceller?: (() => void) | null;
  attempt: number;
}
interface HtmxDetail {
  message?: { data: string; event?: string };
  ctx?: { sourceElement?: Element; request?: { action: string }; response?: { status: number; raw: Response }; target?: Element };
  connection?: HtmxConnection;
  status?: number;
  error?: unknown;
  reason?: string;
}
interface HtmxApi {
  process(element: Element): void;
  ajax(verb: string, path: string, options: object): Promise<void>;
  trigger(element: Element, name: string, detail?: object): boolean;
  ajax(verb: string, path: string, context: object): Promise<void>;
}
interface Window {
  htmx: HtmxApi;
}
interface Element {
  _htmx?: { sse?: HtmxConnection };
}
interface DocumentEventMap {
  "sf:seek": CustomEvent<{ track: string; seconds: number }>;
  "sf:region": CustomEvent<{ track: string; start_s: number; end_s: number; free: boolean }>;
  "sf:cue": CustomEvent<{ track: string; id: string; t_s: number; tap: boolean }>;
  "sf:done": CustomEvent<object>;
}
