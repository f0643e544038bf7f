import type { ReactNode } from 'react'

const looks = {
  plain: 'bg-sunken text-muted',
  accent: 'bg-soft text-accent',
  bad: 'bg-sunken text-bad',
}

/** A word about what stands beside it. */
export function Badge({ look = 'plain', children }: { look?: keyof typeof looks; children: ReactNode }) {
  return <span className={`rounded-md px-1.5 py-0.5 text-xs font-medium whitespace-nowrap ${looks[look]}`}>{children}</span>
}
