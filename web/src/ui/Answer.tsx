import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'

import { ApiError, UNREACHABLE } from '../api/client'
import { useFormat } from '../formatContext'
import { m } from '../messages'
import { Button } from './Button'
import { Icon } from './Icon'

type Asked = Pick<UseQueryResult, 'isError' | 'error' | 'refetch' | 'dataUpdatedAt' | 'isFetching'>

interface Props<T> {
  query: UseQueryResult<T>
  /** What is shown until the first answer; as tall as what follows. */
  skeleton: ReactNode
  empty?: { when(data: T): boolean; text: string }
  children(data: T): ReactNode
}

/** Shows a query's answer, or that it is on its way, empty or failed. */
export function Answer<T>({ query, skeleton, empty, children }: Props<T>) {
  const { data } = query
  if (data === undefined) return query.isError ? <Failure query={query} /> : <Waiting>{skeleton}</Waiting>
  if (empty?.when(data)) return <Empty>{empty.text}</Empty>
  return (
    <div className={`flex min-h-0 flex-1 flex-col transition-opacity ${query.isPlaceholderData ? 'opacity-50' : ''}`}>
      {children(data)}
    </div>
  )
}

function Waiting({ children }: { children: ReactNode }) {
  return (
    <div role="status" className="flex flex-1 flex-col">
      <span className="sr-only">{m.loading}</span>
      {children}
    </div>
  )
}

export function Empty({ children }: { children: ReactNode }) {
  return <p className="grid flex-1 place-items-center py-8 text-center text-sm text-muted">{children}</p>
}

export const reason = (error: unknown): string =>
  error instanceof ApiError && error.status !== UNREACHABLE ? error.message : m.error.unreachable

export function Failure({ query }: { query: Pick<Asked, 'error' | 'refetch' | 'isFetching'> }) {
  return (
    <div role="alert" className="grid flex-1 place-content-center justify-items-center gap-1 py-6 text-center">
      <p className="flex items-center gap-1.5 font-medium">
        <Icon name="alert" className="size-4 text-warn" />
        {m.error.title}
      </p>
      <p className="max-w-80 text-sm text-balance text-muted">{reason(query.error)}</p>
      <Button className="mt-2" disabled={query.isFetching} onClick={() => void query.refetch()}>
        <Icon name="retry" />
        {m.retry}
      </Button>
    </div>
  )
}

/** How fresh an answer is; when it could not be refreshed it says so. */
export function Freshness({ query, asOf }: { query: Asked; asOf?: string | undefined }) {
  const format = useFormat()
  const time = asOf ?? query.dataUpdatedAt
  if (!time) return null
  if (query.isError) {
    return (
      <button
        type="button"
        onClick={() => void query.refetch()}
        className="flex items-center gap-1 rounded text-xs text-warn tabular-nums"
      >
        <Icon name="retry" className="size-3" />
        {m.refreshFailed} · {m.asOf(format.clock(time))}
      </button>
    )
  }
  return <span className="text-xs whitespace-nowrap text-muted tabular-nums">{m.asOf(format.clock(time))}</span>
}
