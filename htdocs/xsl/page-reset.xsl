<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- page-reset.xsl: the pages for a forgotten security word. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns:m="urn:mod_esign:text" exclude-result-prefixes="m">

  <xsl:template match="page[@name = 'reset']" mode="body">
    <xsl:call-template name="step">
      <xsl:with-param name="number" select="1"/>
    </xsl:call-template>
    <p><xsl:value-of select="m:text('reset.intro')"/></p>
    <xsl:apply-templates select="form"/>
    <p class="aside"><xsl:apply-templates select="." mode="to-start"/></p>
  </xsl:template>

  <xsl:template match="page[@name = 'reset-sent']" mode="body">
    <xsl:variable name="life">
      <xsl:call-template name="counted">
        <xsl:with-param name="key" select="'duration.minutes'"/>
        <xsl:with-param name="count" select="life/@minutes"/>
      </xsl:call-template>
    </xsl:variable>
    <xsl:call-template name="step">
      <xsl:with-param name="number" select="2"/>
    </xsl:call-template>
    <p class="lead"><xsl:value-of select="m:text('reset-sent.sent')"/></p>
    <p><xsl:value-of select="m:text('reset-sent.life', string($life))"/></p>
    <p><xsl:value-of select="m:text('reset-sent.missing')"/></p>
    <p class="actions">
      <xsl:apply-templates select="." mode="to-start"/>
      <xsl:call-template name="onward">
        <xsl:with-param name="href" select="concat(@prefix, '/reset')"/>
        <xsl:with-param name="key" select="'onward.reset'"/>
      </xsl:call-template>
    </p>
  </xsl:template>

  <xsl:template match="page[@name = 'reset-word']" mode="body">
    <xsl:call-template name="step">
      <xsl:with-param name="number" select="3"/>
    </xsl:call-template>
    <p><xsl:value-of select="m:text('reset-word.intro')"/></p>
    <xsl:apply-templates select="form"/>
  </xsl:template>

  <xsl:template match="page[@name = 'reset-done']" mode="body">
    <p class="lead success"><xsl:value-of select="m:text('reset-done.text')"/></p>
    <p><xsl:value-of select="m:text('reset-done.next')"/></p>
    <p class="actions">
      <xsl:apply-templates select="sign-in"/>
      <xsl:apply-templates select="." mode="to-start"/>
      <xsl:apply-templates select="." mode="to-home"/>
    </p>
  </xsl:template>

  <xsl:template match="page[@name = 'link-dead']" mode="body">
    <p class="lead"><xsl:value-of select="m:text('link-dead.text')"/></p>
    <p><xsl:value-of select="m:text('link-dead.changed')"/></p>
    <p><xsl:value-of select="m:text('link-dead.again')"/></p>
    <p class="actions">
      <xsl:apply-templates select="sign-in"/>
      <xsl:call-template name="onward">
        <xsl:with-param name="href" select="again/@href"/>
        <xsl:with-param name="key" select="'onward.reset'"/>
      </xsl:call-template>
    </p>
  </xsl:template>

  <xsl:template match="sign-in">
    <xsl:call-template name="onward">
      <xsl:with-param name="href" select="@href"/>
      <xsl:with-param name="key" select="'onward.sign-in'"/>
      <xsl:with-param name="class" select="'button primary'"/>
    </xsl:call-template>
  </xsl:template>

  <xsl:template match="page" mode="to-start">
    <xsl:call-template name="onward">
      <xsl:with-param name="href" select="concat(@prefix, '/')"/>
      <xsl:with-param name="key" select="'onward.start'"/>
    </xsl:call-template>
  </xsl:template>

  <xsl:template match="page" mode="to-home">
    <xsl:call-template name="onward">
      <xsl:with-param name="href" select="@home"/>
      <xsl:with-param name="key" select="'onward.home'"/>
    </xsl:call-template>
  </xsl:template>

</xsl:stylesheet>
