import time,faulthandler,sys
from bench import outbound
from bench.common import *
if __name__=="__main__":
    faulthandler.dump_traceback_later(45, exit=True)
    outbound.BATCH=1000
    with servers() as s:
        port=free_port()
        with process(fast_carrier, port):
            wait_for_port(port); b=outbound._Bench(s,port); print("seeded",flush=True)
            print("loop",b.bare_loop(),flush=True)
            print("ours",b.batch(),flush=True)
            b.redis.flushall()
            print("simple",b.one_job_each("simple",200),flush=True)
            b.redis.flushall()
            print("fork",b.one_job_each("forking",20),flush=True)
