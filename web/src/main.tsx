import './styles.css'

import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'

import { ApiError } from './api/client'
import { sessionQuery } from './api/session'
import { language } from './language'
import { speak } from './messages'
import { makeRouter } from './router'
import { ThemeProvider } from './theme'

const UNAUTHORIZED = 401

// Who must set up a second factor first has a session.
const isUnauthorized = (error: unknown) =>
  error instanceof ApiError && error.status === UNAUTHORIZED && error.code !== 'second_factor'

const queries = new QueryClient({
  queryCache: new QueryCache({
    // The session ended elsewhere: ask for it again, and the router goes to the login.
    onError: (error) => {
      if (!isUnauthorized(error)) return
      void queries.fetchQuery({ ...sessionQuery, staleTime: 0 }).then(() => router.invalidate())
    },
  }),
  defaultOptions: {
    queries: {
      retry: (failures, error) => failures < 1 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
      retryDelay: 1000,
    },
  },
})

const router = makeRouter(queries)

void speak(language()).then(() =>
  createRoot(document.getElementById('root')!).render(
    <StrictMode>
      <ThemeProvider>
        <QueryClientProvider client={queries}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </ThemeProvider>
    </StrictMode>,
  ),
)
