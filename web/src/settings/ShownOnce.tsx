import { useEffect, useRef } from 'react'

import { Button } from '../ui/Button'
import { CopyButton } from '../ui/CopyButton'
import { t } from './texts'

interface Props {
  title: string
  /** What it is for, and that it is shown this once. */
  text: string
  secret: string
  onClose: () => void
}

/** A secret or a link that the server shows this once. */
export function ShownOnce({ title, text, secret, onClose }: Props) {
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => box.current!.focus(), [])
  return (
    <div ref={box} role="group" aria-label={title} tabIndex={-1} className="grid gap-2 rounded-xl border border-accent bg-soft p-4 outline-none">
      <p className="font-medium">{title}</p>
      <p className="text-sm">{text}</p>
      <code className="rounded-lg bg-surface px-3 py-2 font-mono text-sm break-all select-all">{secret}</code>
      <div className="flex flex-wrap gap-2">
        <CopyButton text={secret} />
        <Button onClick={onClose}>{t.stored}</Button>
      </div>
    </div>
  )
}
