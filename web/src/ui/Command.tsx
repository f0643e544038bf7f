import { CopyButton } from './CopyButton'

/** A shell command over some lines, to be copied. */
export function Command({ lines }: { lines: string[] }) {
  const text = lines.join(' \\\n  ')
  return (
    <div className="max-w-[calc(100vw-3rem)] overflow-hidden rounded-xl border border-line bg-sunken text-left">
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard must reach it */}
      <pre tabIndex={0} className="overflow-x-auto p-4 font-mono text-[0.8125rem] leading-6">
        {text}
      </pre>
      {navigator.clipboard && (
        <div className="flex justify-end border-t border-line p-2">
          <CopyButton text={text} />
        </div>
      )}
    </div>
  )
}
