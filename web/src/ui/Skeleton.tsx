/** A grey stand-in of the given size. */
export function Skeleton({ className }: { className: string }) {
  return <div className={`animate-pulse-soft rounded-md bg-sunken ${className}`} />
}

const widths = ['w-11/12', 'w-9/12', 'w-8/12', 'w-6/12', 'w-5/12', 'w-5/12', 'w-4/12', 'w-3/12']

/** Stand-ins for the rows of a list. */
export function SkeletonRows({ rows }: { rows: number }) {
  return (
    <div className="grid gap-1.5">
      {Array.from({ length: rows }, (_, i) => (
        <Skeleton key={i} className={`h-7.5 ${widths[i % widths.length]}`} />
      ))}
    </div>
  )
}
