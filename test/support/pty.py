"""Runs a command in a terminal of its own.

    python3 -I pty.py <columns> <rows> <command> [args...]

Standard input takes a JSON object a line: {"write": "text"} types it, {"resize": [columns, rows]} changes the size.
Standard output is what the command writes to its terminal. Descriptor 3 gets a JSON object a line: {"pid": 1} first, and
{"exitCode": 0} or {"signal": 9} last.
"""
import fcntl, json, os, pty, select, signal, struct, sys, termios

columns, rows, *command = sys.argv[1:]


def resize(columns, rows):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))


def tell(**what):
    os.write(3, (json.dumps(what) + '\n').encode())


gate, opened = os.pipe()
pid, master = pty.fork()
if pid == 0:
    # The size is to be there before the command looks at it.
    os.close(opened)
    os.read(gate, 1)
    os.close(gate)
    os.close(3)
    os.execvp(command[0], command)
os.close(gate)
resize(int(columns), int(rows))
os.close(opened)
tell(pid=pid)

rest = b''
sources = [0, master]
while master in sources:
    for source in select.select(sources, [], [])[0]:
        try:
            chunk = os.read(source, 65536)
        except OSError:
            chunk = b''
        if source == master and chunk:
            os.write(1, chunk)
        elif source == master:
            # Everything that had the terminal open has closed it.
            sources.remove(master)
        elif not chunk:
            sources.remove(0)
            os.kill(pid, signal.SIGHUP)
        else:
            *lines, rest = (rest + chunk).split(b'\n')
            for line in map(json.loads, lines):
                if 'write' in line:
                    os.write(master, line['write'].encode())
                if 'resize' in line:
                    resize(*line['resize'])

_, status = os.waitpid(pid, 0)
if os.WIFSIGNALED(status):
    tell(signal=os.WTERMSIG(status))
else:
    tell(exitCode=os.WEXITSTATUS(status))
