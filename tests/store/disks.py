"""Full disks."""


def fill(folder):
    """Leaves no byte free; returns the file that takes all the room."""
    hog = folder / "hog"
    with hog.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            while True:
                try:
                    if not file.write(b"x" * size):
                        break
                except OSError:
                    break
    return hog
