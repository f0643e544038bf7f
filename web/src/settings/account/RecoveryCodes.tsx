import { useEffect, useRef } from 'react'

import { Button } from '../../ui/Button'
import { CopyButton } from '../../ui/CopyButton'
import { t } from '../texts'

/** Recovery codes, which the server shows this once: to copy and to download. */
export function RecoveryCodes({ codes, onClose, verb = t.stored }: { codes: string[]; onClose: () => void; verb?: string }) {
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => box.current!.focus(), [])
  const text = codes.join('\n')

  const download = () => {
    const url = URL.createObjectURL(new Blob([`${text}\n`], { type: 'text/plain' }))
    const link = Object.assign(document.createElement('a'), { href: url, download: 'weir-recovery-codes.txt' })
    link.click()
    URL.revokeObjectURL(url)
  }
  return (
    <div ref={box} role="group" aria-label={t.factor.codes} tabIndex={-1} className="grid gap-3 rounded-xl border border-accent bg-soft p-4 outline-none">
      <p className="font-medium">{t.factor.codes}</p>
      <p className="text-sm">{t.factor.codesText}</p>
      <ol className="grid grid-cols-2 gap-x-6 gap-y-1 rounded-lg bg-surface px-4 py-3 font-mono text-sm max-[26rem]:grid-cols-1">
        {codes.map((code) => (
          <li key={code} className="select-all">
            {code}
          </li>
        ))}
      </ol>
      <div className="flex flex-wrap gap-2">
        <CopyButton text={text} />
        <Button onClick={download}>{t.download}</Button>
        <Button onClick={onClose}>{verb}</Button>
      </div>
    </div>
  )
}
