#!/bin/bash
# Renders one film with AMX, AVX-512 and AVX2 on a machine that has none of them but AVX2: in Bochs, as a Xeon of the fourth generation.
# Usage: tools/bench/other_processors.sh BUILD BOCHS_SOURCE WORK     (some 20 minutes, 3 GB of disk, Debian 12)
# BOCHS_SOURCE is the folder `bochs` of github.com/bochs-emu/Bochs, 3.0 (783b58fd6 was used). Its Sapphire Rapids lacks IA32_XFD, without
# which Linux grants nobody AMX's tiles: bochs_xfd.patch adds it. Its CPUID names FSRM without ERMS, which Linux 6.1 does not survive:
# clearcpuid=580 hides the first. x264's own AVX-512 code meets an instruction that it refuses, so the film is FFV1, and lossless.
# Prints what each run made and the film of this machine, which must be the same bytes; then the kernels' tests, on all that AMX has.
set -euo pipefail
build=$(realpath "$1") source=$(realpath "$2") work=$3 here=$(dirname "$(realpath "$0")")
model=$here/../../tests/goldens/h3_folder/model
mkdir -p "$work" && cd "$work"
apt-get install -y --no-install-recommends busybox-static grub-pc-bin grub-common xorriso mtools cpio vgabios g++ make > /dev/null

if [ ! -x bochs/bochs ]; then
  cp -r "$source" bochs
  patch -d bochs -p1 --quiet < "$here/bochs_xfd.patch"
  (cd bochs && CFLAGS=-O3 CXXFLAGS=-O3 ./configure --with-nogui --enable-cpu-level=6 --enable-x86-64 --enable-avx --enable-evex \
    --enable-amx --enable-repeat-speedups --enable-handlers-chaining --disable-docbook > /dev/null && make -j"$(nproc)" > /dev/null)
fi
if [ ! -f vmlinuz ]; then
  kernel=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image/ { print $2 }')
  apt-get download "$kernel" > /dev/null
  dpkg -x "$kernel"_*.deb kernel
  cp kernel/boot/vmlinuz-* vmlinuz
fi

# One file system in memory: busybox, the two programs, what they load, a small model of random weights.
rm -rf root iso && mkdir -p root/{bin,proc,sys,dev,tmp,root,f} iso/boot/grub
cp /bin/busybox root/bin/
cp "$build"/bin/{fabula,kernels_test} root/f/
strip root/f/*
cp -r "$model" root/f/model
for library in $(ldd "$build"/bin/{fabula,kernels_test} | grep -o '/[^ )]*' | grep '\.so' | sort -u); do
  mkdir -p "root$(dirname "$library")" && cp -L "$library" "root$library"
done
render="render 'A fox jumps.' --format prompt --codec ffv1 -y -q --no-store --no-receipt --steps 2 --seconds 5 --scale 1 --threads 1"
cat > root/init << END
#!/bin/busybox sh
b=/bin/busybox
\$b mount -t proc proc /proc
\$b mount -t sysfs sys /sys
\$b mount -t devtmpfs dev /dev
export HOME=/root
cd /tmp
for set in amx avx512 avx2; do
  export FABULA_CPU=\$set
  /f/fabula version --json | \$b grep instruction_set
  /f/fabula $render --model /f/model -o \$set.mkv && \$b sha256sum \$set.mkv
done
unset FABULA_CPU
/f/kernels_test --gtest_brief=1 --gtest_filter='-*Cuda*' 2>&1 | \$b tail -4
echo the end
\$b sleep 2
\$b poweroff -f
END
chmod +x root/init
cp vmlinuz iso/boot/
(cd root && find . | cpio -o -H newc --quiet) > iso/boot/initrd
cat > iso/boot/grub/grub.cfg << 'END'
set timeout=0
menuentry linux {
  linux /boot/vmlinuz console=ttyS0 nokaslr mitigations=off panic=1 clearcpuid=580 quiet
  initrd /boot/initrd
}
END
grub-mkrescue -o film.iso iso 2> /dev/null

cat > bochsrc << END
megs: 1500
cpu: model=sapphire_rapids, count=1, ips=80000000, reset_on_triple_fault=0, ignore_bad_msrs=1
romimage: file=$PWD/bochs/bios/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
ata0-master: type=cdrom, path=$PWD/film.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$PWD/serial.txt
log: $PWD/bochs.log
panic: action=fatal
display_library: nogui
END
rm -f serial.txt
timeout 3600 bochs/bochs -q -f bochsrc > /dev/null 2>&1 < /dev/null || true
grep -a -E 'instruction_set|mkv|tests|PASSED|FAILED|the end' serial.txt
eval "$build/bin/fabula $render --model $model -o here.mkv" > /dev/null
sha256sum here.mkv
