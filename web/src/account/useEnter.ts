import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'

import { sessionQuery } from '../api/session'

/** Sends what was filled in; then the session is read anew and the page `next` is gone to. */
export function useEnter<T>(send: (body: T) => Promise<unknown>, next: string) {
  const queries = useQueryClient()
  const router = useRouter()
  return useMutation({
    mutationFn: send,
    onSuccess: async () => {
      await queries.fetchQuery({ ...sessionQuery, staleTime: 0 })
      await router.invalidate()
      router.history.push(next)
    },
  })
}
