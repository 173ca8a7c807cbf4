// The lock that the thread sanitizer can see; Tracing says why.
#if THREAD_SANITIZER
import Tracing
typealias Mutex = PthreadMutex
#endif
