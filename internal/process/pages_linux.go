package process

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// DropPages takes the pages of the program's file out of this process; those that are
// needed again come back from the system's cache of files, one fault each. A start
// touches most of the file, and the kernel maps much more than what is touched: 85 MB. An idle
// server needs a third of them. Pages that were written to since they were mapped stay: the
// file does not have their content.
func DropPages() error {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return err
	}
	var from, to uintptr // of the mapping that the lines are of; 0 where it is not to be dropped
	for lines := bufio.NewScanner(bytes.NewReader(maps)); lines.Scan(); {
		line := lines.Text()
		if f := strings.Fields(line); len(f) >= 5 && strings.Contains(f[0], "-") {
			from, to = 0, 0
			if len(f) == 6 && f[5] == exe && (f[1] == "r-xp" || f[1] == "r--p") {
				if _, err := fmt.Sscanf(f[0], "%x-%x", &from, &to); err != nil {
					return err
				}
			}
			continue
		}
		if from == 0 || line != "" && !strings.HasPrefix(line, "Anonymous:") {
			continue
		}
		if strings.Fields(line)[1] == "0" {
			if _, _, errno := unix.Syscall(unix.SYS_MADVISE, from, to-from, unix.MADV_DONTNEED); errno != 0 {
				return fmt.Errorf("madvise: %w", errno)
			}
		}
		from = 0
	}
	return nil
}
