// SPDX-License-Identifier: GPL-2.0
package vbinder;

import vbinder.ICallback;

// What both echo services are: the one in src/, on rsbinder, and the one in
// echo.c, on libgbinder, which knows the methods by their numbers, from 1.
interface IEcho {
    String say(String text);
    byte[] repeat(in byte[] data);
    // The very file that was passed.
    ParcelFileDescriptor pass(in ParcelFileDescriptor file);
    // The object that was passed: its owner must get its own back.
    IBinder same(IBinder object);
    // What the callback answers, asked for while the caller waits.
    String call(ICallback callback, String text);
    oneway void note(int number);
    int[] noted();
}
