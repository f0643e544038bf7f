import { Link, useRouter, type ErrorComponentProps } from '@tanstack/react-router'
import type { ReactNode } from 'react'

import { m } from '../messages'
import { reason } from '../ui/Answer'
import { Button } from '../ui/Button'
import { Mark } from '../ui/Logo'

export function Notice({ title, text, children }: { title: string; text?: string; children: ReactNode }) {
  return (
    <main className="grid min-h-[80dvh] place-content-center justify-items-center gap-3 p-6 text-center">
      <Mark className="size-10" />
      <h1 className="mt-2 text-xl font-semibold tracking-tight">{title}</h1>
      {text && <p className="max-w-96 text-balance text-muted">{text}</p>}
      <div className="mt-2">{children}</div>
    </main>
  )
}

export function ErrorPage({ error, reset }: ErrorComponentProps) {
  const router = useRouter()
  const retry = () => {
    reset()
    void router.invalidate()
  }
  return (
    <Notice title={m.error.page} text={reason(error)}>
      <Button look="solid" onClick={retry}>
        {m.retry}
      </Button>
    </Notice>
  )
}

export function NotFoundPage({ text }: { text?: string }) {
  return (
    <Notice title={m.error.notFound} {...(text ? { text } : {})}>
      <Link to="/" className="font-medium text-accent underline underline-offset-4">
        {m.error.home}
      </Link>
    </Notice>
  )
}
