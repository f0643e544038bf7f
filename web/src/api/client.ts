/** What the server says of a request that failed. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.name = 'ApiError'
    this.status = status
    this.code = code
  }
}

/** The status of an ApiError when no answer came at all. */
export const UNREACHABLE = 0

interface ErrorBody {
  error?: { code?: string; message?: string }
}

async function failure(res: Response): Promise<ApiError> {
  const body = (await res.json().catch(() => ({}))) as ErrorBody
  return new ApiError(
    res.status,
    body.error?.code ?? 'unknown',
    body.error?.message ?? `${res.status} ${res.statusText}`,
  )
}

/** Sends a request to the API and returns the answer's JSON, or throws an ApiError. */
export async function request<T>(
  path: string,
  options: { method?: string; body?: unknown; signal?: AbortSignal } = {},
): Promise<T> {
  const init: RequestInit = {
    method: options.method ?? 'GET',
    headers: { Accept: 'application/json' },
    credentials: 'same-origin',
  }
  if (options.signal) init.signal = options.signal
  if (options.body !== undefined) {
    init.headers = { ...init.headers, 'Content-Type': 'application/json' }
    init.body = JSON.stringify(options.body)
  }
  let res: Response
  try {
    res = await fetch(path, init)
  } catch (err) {
    if (err instanceof DOMException && err.name === 'AbortError') throw err
    throw new ApiError(UNREACHABLE, 'unreachable', String(err))
  }
  if (!res.ok) throw await failure(res)
  if (res.status === 204) return undefined as T
  const text = await res.text()
  return (text ? JSON.parse(text) : undefined) as T
}

export const projectPath = (id: string, rest: string): string =>
  `/api/v1/projects/${encodeURIComponent(id)}/${rest}`
